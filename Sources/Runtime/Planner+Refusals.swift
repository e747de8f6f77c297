internal import Failure
internal import OCI

extension Planner {
    /// What runtime-spec has and this host or ctr has not, by its field. What is not here is done.
    static func refuse(_ spec: RuntimeSpec, _ host: HostFacts) throws(Failure) {
        let linux = spec.linux
        let lacks: [(field: String, isAsked: Bool, lack: String)] = [
            ("linux.mountLabel", linux?.mountLabel?.isEmpty == false && !host.seLinux, "SELinux is off"),
            (
                "process.selinuxLabel", spec.process?.selinuxLabel?.isEmpty == false && !host.seLinux,
                "SELinux is off"
            ),
            (
                "process.apparmorProfile",
                ![nil, "", "unconfined"].contains(spec.process?.apparmorProfile) && !host.appArmor,
                "AppArmor is off"
            ),
            ("linux.intelRdt", linux?.intelRdt != nil, "resctrl is not supported by ctr"),
            (
                "linux.personality.flags", linux?.personality?.flags?.isEmpty == false,
                "there are none in the specification"
            ),
        ]
        for entry in lacks where entry.isAsked {
            throw Failure(.unsupported, "config.json: \(entry.field): \(entry.lack)")
        }
        for (key, _) in linux?.sysctl ?? [:] {
            let kind = Sysctl.namespace(of: key)
            guard let kind, linux?.namespaces?.contains(where: { $0.type == kind }) == true else {
                throw Failure(
                    .invalidArgument,
                    "config.json: linux.sysctl: \(key) is not of a namespace of the container: it would change the host"
                )
            }
        }
    }
}
