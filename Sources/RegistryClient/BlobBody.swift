internal import AsyncHTTPClient
internal import Failure
internal import NIOCore
internal import OCI

/// The bytes of one blob, over as many answers as it takes.
///
/// `@unchecked Sendable`: a stream has one reader, which awaits each piece before it asks for the next, as
/// `BlobStream` says; the iterator inside cannot be shared in any other way.
final class BlobBody: @unchecked Sendable {
    private let source: RepositorySource
    private let descriptor: Descriptor
    /// Bytes given to the reader, counted from the blob's start.
    private var position: UInt64
    /// Bytes of the current answer that the reader has already.
    private var surplus: UInt64 = 0
    private var answer: HTTPExchange.Answer
    /// nil once the stream has failed, so that the connection is given up at once and not with the last reference.
    private var pieces: HTTPClientResponse.Body.AsyncIterator?
    /// The rest of a piece that was longer than one step (TLS gives up to a MiB at once).
    private var rest = ByteBuffer()
    /// Cuts since the last time that it went well for a while.
    private var failures = 0
    private var positionOfFailure: UInt64 = 0

    /// Bytes of one step at most.
    private static let longestStep = 256 * 1024

    init(source: RepositorySource, descriptor: Descriptor, position: UInt64, answer: HTTPExchange.Answer) {
        self.source = source
        self.descriptor = descriptor
        self.position = position
        self.answer = answer
        pieces = answer.body.makeAsyncIterator()
    }

    func next() async throws(Failure) -> [UInt8]? {
        do {
            return try await step()
        } catch {
            pieces = nil
            throw error
        }
    }

    private func step() async throws(Failure) -> [UInt8]? {
        while true {
            if let step = rest.readBytes(length: min(rest.readableBytes, BlobBody.longestStep)), !step.isEmpty
            {
                position += UInt64(step.count)
                return step
            }
            var buffer: ByteBuffer
            do throws(TransportError) {
                guard let piece = try await piece() else {
                    if position == UInt64(descriptor.size) { return nil }
                    throw TransportError(.cut, cut())
                }
                buffer = piece
            } catch {
                guard error.reason == .cut else { throw error.failure }
                try await reopen(after: cut())
                continue
            }
            if surplus > 0 {
                let skipped = min(surplus, UInt64(buffer.readableBytes))
                buffer.moveReaderIndex(forwardBy: Int(skipped))
                surplus -= skipped
            }
            guard position + UInt64(buffer.readableBytes) <= UInt64(descriptor.size) else {
                throw Failure(
                    .dataLoss,
                    "registry sent more than the \(descriptor.size) bytes of blob \(descriptor.digest.short)")
            }
            rest = buffer
        }
    }

    private func piece() async throws(TransportError) -> ByteBuffer? {
        do {
            let piece = try await pieces?.next()
            // A cancelled task ends the sequence without a word.
            if piece == nil, Task.isCancelled { throw CancellationError() }
            return piece
        } catch {
            throw TransportError(
                error, from: answer.address, timeouts: source.client.exchange.transport.timeouts)
        }
    }

    private func cut() -> Failure {
        Failure(
            .dataLoss,
            "\(answer.address.hostAndPort) cut blob \(descriptor.digest.short) after \(position) of \(descriptor.size) bytes"
        )
    }

    private func reopen(after failure: Failure) async throws(Failure) {
        let retry = source.client.configuration.retry
        // A registry that gives a few bytes and hangs up, again and again, comes to an end too.
        failures = position >= positionOfFailure + 1 << 20 ? 1 : failures + 1
        positionOfFailure = position
        guard failures < retry.tries, let pause = retry.pause(beforeTry: failures + 1, asked: nil) else {
            throw failure
        }
        do {
            try await Task.sleep(for: pause)
        } catch {
            throw Failure(.interrupted, "interrupted")
        }
        let start: UInt64
        (answer, start) = try await source.open(descriptor, at: position)
        surplus = position - start
        pieces = answer.body.makeAsyncIterator()
    }
}
