import Failure

/// The fields of one line of comma-separated values (RFC 4180): a field in double quotes may have commas in it, and `""` for
/// a quote.
enum CommaSeparatedFields {
    static func parse(_ text: String) throws(Failure) -> [String] {
        var fields: [String] = []
        var rest = text[...].utf8
        while true {
            if rest.first == UInt8(ascii: "\"") {
                fields.append(try quoted(&rest))
            } else {
                let field = rest.prefix { $0 != UInt8(ascii: ",") }
                guard !field.contains(UInt8(ascii: "\"")) else {
                    throw Failure(
                        .invalidArgument, "a quote inside of a field",
                        hint: "Quote the whole field: '\"source=/a,b\",target=/c'.")
                }
                fields.append(String(Substring(field)))
                rest = rest[field.endIndex...]
            }
            guard !rest.isEmpty else { return fields }
            guard rest.first == UInt8(ascii: ",") else {
                throw Failure(.invalidArgument, "something after the closing quote of a field")
            }
            rest = rest.dropFirst()
        }
    }

    private static func quoted(_ rest: inout Substring.UTF8View) throws(Failure) -> String {
        rest = rest.dropFirst()
        var field: [UInt8] = []
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\"") else {
                field.append(byte)
                continue
            }
            guard rest.first == byte else { return String(decoding: field, as: UTF8.self) }
            rest = rest.dropFirst()
            field.append(byte)
        }
        throw Failure(.invalidArgument, "a quote without its end")
    }
}
