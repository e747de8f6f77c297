package import LinuxSystem
package import Failure
package import Dockerfile
extension ContextTree {
    package func ignoring(_ patterns: IgnorePatterns) -> ContextTree { 
      ContextTree(SharedFileDescriptor(try! FileDescriptor.open(".", in: root, [.readOnly,.directory])), owners: owners, ignoring: patterns, name: name) }
    package static func unpacking(tar: SharedFileDescriptor, into directory: SharedFileDescriptor) throws(Failure) -> ContextTree { fatalError() }
}
package enum GitCommitTime { package static func newest(above: String) throws(Failure) -> Int64? { nil } }
package enum HeredocFile {
    package static func write(
        named name: String, content: [UInt8], into root: Int32, destination: String,
        workingDirectory: String = "/", _ options: CopyOptions
    ) throws(Failure) {}
}
