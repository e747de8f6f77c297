package import Failure
package import LinuxSystem

extension UserModeNetwork {
    /// A program that is about to be ready. Who lets go of it without ``wait()`` leaves it to its keeper, which goes on.
    package struct Starting: ~Copyable {
        private let network: UserModeNetwork
        private let child: Int32
        private let socket: FileDescriptor

        init(_ network: UserModeNetwork, child: Int32, socket: consuming FileDescriptor) {
            self.network = network
            self.child = child
            self.socket = socket
        }

        private static let patience: Int32 = 30_000

        /// Returns when packets go through and all ports are open.
        /// - Returns: the keeper, for ``UserModeNetwork/stop(_:)``.
        /// - Throws: what the program said; nothing of it is left then.
        package consuming func wait() throws(Failure) -> ProcessIdentity {
            // The first message is the keeper's pid: it is a grandchild. The child has ended then.
            let name = network.kind.rawValue
            let first = try hear()
            _ = try during("start \(name)") { () throws(SystemError) in try Process.reap(child) }
            guard case .keeper(let pid) = first else { throw failure(first) }
            // Gone already where the program did not start at all.
            let keeper = ProcessIdentity(running: pid)
            do throws(Failure) {
                let second = try hear()
                guard case .ready = second, let keeper else { throw failure(second) }
                return keeper
            } catch {
                if let keeper { try? UserModeNetwork.stop(keeper) }
                throw error
            }
        }

        private enum Word {
            case keeper(Int32)
            case ready
            case failed(String)
            case nothing
        }

        private borrowing func hear() throws(Failure) -> Word {
            let number = socket.raw
            let bytes = try during("start \(network.kind.rawValue)") { () throws(SystemError) -> [UInt8] in
                guard try FileDescriptor.wait(for: number, milliseconds: Self.patience) else {
                    throw SystemError(call: "start", path: nil, errno: Errno.timedOut)
                }
                return try Self.message(from: number)
            }
            let text = String(decoding: bytes.dropFirst(), as: UTF8.self)
            switch bytes.first {
            case UInt8(ascii: "k"): return Int32(text).map { .keeper($0) } ?? .nothing
            case UInt8(ascii: "r"): return .ready
            case UInt8(ascii: "f"): return .failed(text)
            default: return .nothing
            }
        }

        private static func message(from socket: Int32) throws(SystemError) -> [UInt8] {
            var buffer = [UInt8](repeating: 0, count: 8192)
            var size = 0
            var failed: SystemError?
            buffer.withUnsafeMutableBytes { bytes in
                do throws(SystemError) {
                    size = try UnixSocket.receive(into: bytes, from: socket).size
                } catch { failed = error }
            }
            if let failed { throw failed }
            return Array(buffer[..<size])
        }

        private borrowing func failure(_ word: Word) -> Failure {
            guard case .failed(let text) = word else {
                return Failure(.internal, "start \(network.path): it ended without a word")
            }
            return network.failure(saying: text)
        }
    }
}
