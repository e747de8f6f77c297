package import Failure
package import LinuxSystem
internal import Runtime

extension Engine {
    /// `--chown` of COPY and ADD: `user[:group]` by the names of the root that is copied into. A number alone is the
    /// group's too; a name alone brings the user's own group.
    package func owner(_ text: String, in root: borrowing FileDescriptor) throws(Failure) -> (
        uid: UInt32, gid: UInt32
    ) {
        if let number = UInt32(text) { return (number, number) }
        if let colon = text.firstIndex(of: ":"), let uid = UInt32(text[..<colon]),
            let gid = UInt32(text[text.index(after: colon)...])
        {
            return (uid, gid)
        }
        let identity = try UserDatabase(root: root).identity(of: text, addedGroups: [])
        return (identity.uid, identity.gid)
    }
}
