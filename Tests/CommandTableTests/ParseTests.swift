import CommandTable
import Failure
import Testing

@Suite struct ParseTests {
    @Test func `run stops reading flags at the image`() throws {
        let command = try CommandTable.parse(["run", "-it", "--rm", "alpine", "ls", "--rm=false", "-x"])
        #expect(command.verb == .run)
        #expect(command.positionals == ["alpine", "ls", "--rm=false", "-x"])
        #expect(command.flag(.rm) && command.flag(.tty) && command.flag(.interactive))
        #expect(!command.flag(.detach))
        #expect(command.flag(.sigProxy))
    }
}
