/// The value of a switch: `--rm=false`.
package enum Toggle {
    /// The words of Go's strconv.ParseBool, or nil.
    package static func parse(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }
}
