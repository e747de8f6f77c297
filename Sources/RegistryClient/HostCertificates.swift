internal import Failure
internal import NIOSSL

/// One directory of `certs.d` (docker's rules): every `*.crt` is an authority to trust beside the system's, `NAME.cert`
/// with `NAME.key` is what this host shows of itself.
struct HostCertificates {
    let directory: String
    let list: CredentialLookup.DirectoryList
    let read: CredentialLookup.FileRead

    func add(to tls: inout TLSConfiguration) throws(Failure) {
        let names = try list(directory).sorted()
        for name in names where name.hasSuffix(".crt") {
            let bytes = try contents(name)
            let certificates = try parsed(name) { try NIOSSLCertificate.fromPEMBytes(bytes) }
            tls.additionalTrustRoots.append(.certificates(certificates))
        }
        guard let name = names.first(where: { $0.hasSuffix(".cert") }) else { return }
        let keyName = name.dropLast("cert".count) + "key"
        guard names.contains(String(keyName)) else {
            throw Failure(.invalidArgument, "\(directory)/\(name) has no \(keyName) beside it")
        }
        let (chain, key) = (try contents(name), try contents(String(keyName)))
        tls.certificateChain = try parsed(name) {
            try NIOSSLCertificate.fromPEMBytes(chain).map { .certificate($0) }
        }
        tls.privateKey = try parsed(String(keyName)) {
            .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
        }
    }

    private func contents(_ name: String) throws(Failure) -> [UInt8] {
        guard let bytes = try read("\(directory)/\(name)") else {
            throw Failure(.notFound, "\(directory)/\(name) is gone")
        }
        return bytes
    }

    private func parsed<Value>(_ name: String, _ parse: () throws -> Value) throws(Failure) -> Value {
        do {
            return try parse()
        } catch {
            throw Failure(.invalidArgument, "\(directory)/\(name) is not in PEM form", cause: error)
        }
    }
}
