package import Failure
internal import LinuxSystem
package import OCI
internal import RegistryClient

/// Downloads a file over http or https into an open regular file, from its beginning on; waits until it is there.
///
/// - Parameters:
///   - address: proxies are the environment's, as for registries.
///   - file: open for writing. It is cut to nothing when bytes come, left alone when nothing has changed.
///   - etag: of the file that is here already.
/// - Throws: `notFound`, `unauthenticated`, `permissionDenied`, `unavailable`, `dataLoss`, `invalidArgument`.
package func fetchFile(_ address: String, to file: Int32, etag: String? = nil) throws(Failure) -> FetchedFile
{
    try blocking { () async throws(Failure) in
        let fetch = FileFetch(RegistryAccess.configuration())
        do throws(Failure) {
            let found = try await fetch.fetch(address, to: OpenFileSink(file: file), etag: etag)
            await fetch.close()
            return found
        } catch {
            await fetch.close()
            throw error
        }
    }
}

/// The caller's file, open as long as the fetch takes.
private struct OpenFileSink: FileSink {
    let file: Int32

    func begin() throws(Failure) {
        try during("write a downloaded file") { () throws(SystemError) in
            try FileDescriptor.withBorrowed(file) { (file) throws(SystemError) in
                try file.truncate(to: 0)
                try file.seek(to: 0)
            }
        }
    }

    func write(_ bytes: [UInt8]) throws(Failure) {
        try during("write a downloaded file") { () throws(SystemError) in
            try FileDescriptor.withBorrowed(file) { (file) throws(SystemError) in try file.write(bytes) }
        }
    }
}
