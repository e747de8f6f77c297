/// How often and after what pause a request is made again.
package struct RetryPolicy: Sendable {
    /// Tries in all, the first one included.
    package var tries: Int
    /// The pause before the second try; each further one is three times as long.
    package var firstPause: Duration
    /// No pause is longer, whatever the registry asks for: a longer wait is the user's decision.
    package var longestPause: Duration

    package init(tries: Int = 4, firstPause: Duration = .seconds(1), longestPause: Duration = .seconds(60)) {
        self.tries = max(1, tries)
        self.firstPause = firstPause
        self.longestPause = longestPause
    }

    /// Statuses that say "not now": 408 429 500 502 503 504.
    static func isPassing(status: Int) -> Bool {
        [408, 429, 500, 502, 503, 504].contains(status)
    }

    /// The pause before try `number` (2, 3, …), with up to a quarter of jitter, so that layers that failed together do
    /// not come again together. What the registry asked for counts instead of it; nil when that is longer than
    /// `longestPause`.
    func pause(beforeTry number: Int, asked: Duration?) -> Duration? {
        if let asked {
            guard asked <= longestPause else { return nil }
            return asked + .milliseconds(Int64.random(in: 0...100))
        }
        var pause = firstPause
        for _ in 2..<max(number, 2) where pause < longestPause { pause *= 3 }
        return min(pause, longestPause) * Double.random(in: 1...1.25)
    }

    /// `Retry-After` as seconds or as a date; a date counts from the answer's own `Date`, so that no clock has to be right.
    static func asked(retryAfter: String?, date: String?) -> Duration? {
        guard let retryAfter else { return nil }
        if let seconds = UInt32(retryAfter) { return .seconds(Int64(seconds)) }
        guard let until = HTTPDate.seconds(retryAfter), let now = date.flatMap(HTTPDate.seconds) else {
            return nil
        }
        return .seconds(max(0, until - now))
    }
}
