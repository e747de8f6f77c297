/// A line of a picture.
package struct ScreenLine: Sendable, Equatable {
    package enum Tone: Sendable { case plain, finished, failed, canceled, faint }

    package let text: String
    package let tone: Tone

    package init(_ text: String, _ tone: Tone = .plain) {
        self.text = text
        self.tone = tone
    }

    package var colored: String {
        let code: String
        switch tone {
        case .plain: return text
        case .finished: code = "34"
        case .failed: code = "31"
        case .canceled: code = "33"
        case .faint: code = "2"
        }
        return "\u{1b}[\(code)m\(text)\u{1b}[0m"
    }
}
