/// What a registry says when it refuses: `{"errors":[{"code":"…","message":"…"}]}` (distribution-spec, "Error
/// codes"), or a token server's `{"details":"…"}`, `{"message":"…"}` or `{"error":"…","error_description":"…"}`.
enum RegistryAnswer {
    /// The codes and one line for a person, both empty when the body is something else (often a proxy's HTML page).
    static func explanation(_ body: [UInt8]) -> (codes: [String], line: String) {
        guard let json = try? JSON(parsing: body) else { return ([], "") }
        let errors = json["errors"]?.elements ?? []
        if errors.isEmpty {
            let line =
                ["error_description", "details", "message", "error"].lazy.compactMap { json[$0]?.text }.first
            return ([json["error"]?.text ?? json["code"]?.text].compactMap { $0 }, sanitized(line ?? ""))
        }
        let codes = errors.compactMap { $0["code"]?.text }
        let lines = errors.prefix(3).compactMap { error -> String? in
            guard let message = error["message"]?.text, !message.isEmpty else { return error["code"]?.text }
            return message
        }
        return (codes, sanitized(lines.joined(separator: "; ")))
    }

    /// A stranger's text made fit for one line on a terminal: no control characters (escape sequences among them), no
    /// marks that change the direction of writing, at most 200 characters.
    static func sanitized(_ text: some StringProtocol) -> String {
        var clean = ""
        var length = 0
        for scalar in text.unicodeScalars {
            guard length < 200 else {
                clean += "…"
                break
            }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                if clean.last != " ", !clean.isEmpty { clean += " " }
            default: clean.unicodeScalars.append(scalar)
            }
            length += 1
        }
        while clean.last == " " { clean.removeLast() }
        return clean
    }
}
