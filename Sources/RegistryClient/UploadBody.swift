internal import NIOCore
internal import OCI

/// A blob's stream as the body of a request; it must have exactly the descriptor's length.
struct UploadBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let stream: BlobStream
    let descriptor: Descriptor
    let mismatch: any Error

    struct AsyncIterator: AsyncIteratorProtocol {
        let body: UploadBody
        var sent: Int64 = 0

        mutating func next() async throws -> ByteBuffer? {
            let piece = try await body.stream.next()
            sent += Int64(piece?.count ?? 0)
            guard piece == nil ? sent == body.descriptor.size : sent <= body.descriptor.size else {
                throw body.mismatch
            }
            return piece.map { ByteBuffer(bytes: $0) }
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(body: self) }
}
