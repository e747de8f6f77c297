package import OCI

/// What a process gets of the capabilities that its configuration names. What cannot be granted does not fail it, and is told
/// (config.md, "Linux Process").
package struct GrantedCapabilities: Sendable, Equatable {
    let bounding, effective, permitted, inheritable, ambient: CapabilitySet
    /// Names that are no capability, or that this process cannot hand on; each once.
    package let refused: [String]

    package init(_ asked: RuntimeSpec.Capabilities?, inUserNamespace: Bool, _ host: HostFacts) {
        // A user namespace gives all that there are.
        let held = inUserNamespace ? .all : host.capabilities
        bounding = CapabilitySet(specNames: asked?.bounding).intersection(held)
        permitted = CapabilitySet(specNames: asked?.permitted).intersection(held)
        effective = CapabilitySet(specNames: asked?.effective).intersection(permitted)
        // Nothing is inheritable unless it is asked for (CVE-2022-24769), and ambient only out of both.
        inheritable = CapabilitySet(specNames: asked?.inheritable).intersection(held)
        ambient = CapabilitySet(specNames: asked?.ambient).intersection(permitted).intersection(inheritable)
        let sets = [
            (asked?.bounding, bounding), (asked?.effective, effective), (asked?.permitted, permitted),
            (asked?.inheritable, inheritable), (asked?.ambient, ambient),
        ]
        var refused: [String] = []
        for (names, granted) in sets {
            for name in names ?? [] where !refused.contains(name) {
                let one = CapabilitySet(specNames: [name])
                if one.isEmpty || !granted.isSuperset(of: one) { refused.append(name) }
            }
        }
        self.refused = refused
    }
}
