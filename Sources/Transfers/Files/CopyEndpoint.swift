/// One side of `cp`: `CONTAINER:PATH`, a path of the host, or `-`.
package enum CopyEndpoint: Sendable, Equatable {
    case container(String, path: String)
    case host(String)

    /// docker's rule: what begins with `/` or `.` is a path of the host, whatever colons it has.
    package init(_ word: String) {
        guard !word.hasPrefix("/"), !word.hasPrefix("."), let colon = word.firstIndex(of: ":"),
            colon != word.startIndex
        else {
            self = .host(word)
            return
        }
        let path = String(word[word.index(after: colon)...])
        self = .container(String(word[..<colon]), path: path.isEmpty ? "/" : path)
    }
}

package struct CopyRequest: Sendable, Equatable {
    /// `-a`: owners stay what they are. Otherwise the container's root owns what comes in, the caller what comes out.
    package var keepsOwners = false
    /// `-L`: a symbolic link given as the source stands for what it leads to.
    package var followsLink = false

    package init() {}
}
