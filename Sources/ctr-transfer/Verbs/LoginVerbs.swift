import CommandTable
import Engine
import Failure
import Front
import LinuxSystem
import Transfers

enum LoginVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let registry = command.positionals.first ?? "docker.io"
        guard let user = command.value(.username) ?? Prompt.line("Username: ") else {
            throw Failure(.invalidArgument, "no user name was given", hint: "give it by --username")
        }
        let password: String
        if command.flag(.passwordStdin) {
            if command.value(.password) != nil {
                throw Failure(.invalidArgument, "--password and --password-stdin are mutually exclusive")
            }
            password = try Prompt.allOfStdin()
        } else if let given = command.value(.password) {
            Console.error("WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n")
            password = given
        } else if let typed = Prompt.secret("Password: ") {
            password = typed
        } else {
            throw Failure(.invalidArgument, "no password was given", hint: "give it by --password-stdin")
        }
        let file = try engine.login(registry, user: user, password: password)
        // A credential helper answers with its name.
        if file.hasPrefix("/") {
            Console.error("WARNING! Your password will be stored unencrypted in \(file).\n")
        }
        Console.out("Login Succeeded\n")
        return 0
    }
}

enum LogoutVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let registry = command.positionals.first ?? "docker.io"
        let removed = try engine.logout(registry)
        Console.out(
            removed ? "Removing login credentials for \(registry)\n" : "Not logged in to \(registry)\n")
        return 0
    }
}
