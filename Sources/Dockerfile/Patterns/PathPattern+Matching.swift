extension PathPattern {
    /// The whole path, without a slash at its beginning or end.
    package func matches(_ path: [UInt8]) -> Bool { matches(path[...]) }

    package func matches(_ path: String) -> Bool { matches(Array(path.utf8)[...]) }

    package func matches(_ path: ArraySlice<UInt8>) -> Bool {
        switch shape {
        case .exact(let text):
            return path.elementsEqual(text)
        case .prefix(let text):
            return path.starts(with: text)
        case .suffix(let text):
            return path.ends(with: text)
        case .name(let text):
            guard path.ends(with: text) else { return false }
            let before = path.count - text.count
            return before == 0 || path[path.startIndex + before - 1] == 0x2F
        case .tokens(let first, let last):
            guard path.count >= first.count, path.ends(with: last), path.starts(with: first) else {
                return false
            }
            return reach(path) == .whole
        }
    }

    /// Whether some path below `directory` could match; the empty path is the root.
    package func mayMatch(below directory: ArraySlice<UInt8>) -> Bool {
        let path = directory.isEmpty ? directory : directory + [0x2F]
        switch shape {
        case .exact(let text):
            return text.count > path.count && text.starts(with: path)
        case .prefix(let text):
            return text.count > path.count ? text.starts(with: path) : path.starts(with: text)
        case .suffix, .name:
            return true
        case .tokens(let first, _):
            let common = min(first.count, path.count)
            return first.prefix(common).elementsEqual(path.prefix(common)) && reach(path) != .never
        }
    }

    private enum Reach { case never, beginning, whole }

    /// How far the tokens go along with the path: not to its end, to its end with tokens left, or to both ends. Token
    /// after token it keeps all the places that can be reached, which no pattern can make slow.
    private func reach(_ path: ArraySlice<UInt8>) -> Reach {
        var places = [path.startIndex]
        var next: [Int] = []
        var goesToTheEnd = path.isEmpty
        for token in tokens {
            next.removeAll(keepingCapacity: true)
            for place in places {
                goesToTheEnd =
                    token.advance(from: place, in: path, lastOfOthers: next.last, into: &next) || goesToTheEnd
            }
            if next.isEmpty { return goesToTheEnd ? .beginning : .never }
            swap(&places, &next)
        }
        if places.last == path.endIndex { return .whole }
        return goesToTheEnd ? .beginning : .never
    }
}

extension PathPattern.Token {
    /// Adds the places, ascending, that the token leads to from `place`, those after `lastOfOthers` alone. True: the
    /// path ends here or within the token, so that a longer path could go on.
    fileprivate func advance(
        from place: Int, in path: ArraySlice<UInt8>, lastOfOthers: Int?, into places: inout [Int]
    ) -> Bool {
        let end = path.endIndex
        switch self {
        case .literal(let text):
            let common = min(text.count, end - place)
            guard path[place..<place + common].elementsEqual(text.prefix(common)) else { return false }
            if common < text.count { return true }
            places.append(place + common)
        case .one, .oneOf:
            guard place < end else { return true }
            let character = PathCharacter(path[place...])
            guard allows(character.value) else { return false }
            places.append(place + character.width)
        case .segment:
            var reached = place
            while true {
                if reached > lastOfOthers ?? -1 { places.append(reached) }
                guard reached < end, path[reached] != 0x2F else { break }
                reached += path[reached] < 0x80 ? 1 : PathCharacter(path[reached...]).width
            }
            return reached == end
        case .directories:
            if place > lastOfOthers ?? -1 { places.append(place) }
            for reached in place..<end where path[reached] == 0x2F && reached + 1 > places.last ?? -1 {
                places.append(reached + 1)
            }
            return true
        case .rest:
            places = [end]
            return true
        }
        return place == end
    }

    private func allows(_ character: UInt32) -> Bool {
        switch self {
        case .oneOf(let ranges, let negated): ranges.contains { $0.contains(character) } != negated
        default: character != 0x2F
        }
    }
}

extension ArraySlice where Element == UInt8 {
    /// From the end, where names differ.
    fileprivate func ends(with text: [UInt8]) -> Bool {
        guard count >= text.count else { return false }
        var place = endIndex
        for byte in text.reversed() {
            place -= 1
            if self[place] != byte { return false }
        }
        return true
    }
}
