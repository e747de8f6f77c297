/// One record of comma-separated values; a field within quotes may hold commas, and two quotes there are one.
enum CSVFields {
    static func read(_ text: String) throws(DockerfileError) -> [String] {
        let scalars = Array(text.unicodeScalars)
        var fields: [String] = []
        var index = 0
        repeat {
            let (field, end) = try field(scalars, from: index)
            fields.append(field)
            index = end + 1
        } while index <= scalars.count
        return fields
    }

    /// The field, and where its comma or the end is.
    private static func field(
        _ scalars: [Unicode.Scalar], from start: Int
    ) throws(DockerfileError) -> (String, Int) {
        var view = String.UnicodeScalarView()
        var index = start
        let isQuoted = index < scalars.count && scalars[index] == "\""
        guard isQuoted else {
            while index < scalars.count, scalars[index] != "," {
                guard scalars[index] != "\"" else {
                    throw DockerfileError("a quote stands within an unquoted mount field")
                }
                view.append(scalars[index])
                index += 1
            }
            return (String(view), index)
        }
        index += 1
        while index < scalars.count {
            if scalars[index] != "\"" {
                view.append(scalars[index])
            } else if index + 1 < scalars.count, scalars[index + 1] == "\"" {
                view.append("\"")
                index += 1
            } else {
                guard index + 1 == scalars.count || scalars[index + 1] == "," else {
                    throw DockerfileError("a mount field goes on behind its closing quote")
                }
                return (String(view), index + 1)
            }
            index += 1
        }
        throw DockerfileError("a quote in a mount has no end")
    }
}
