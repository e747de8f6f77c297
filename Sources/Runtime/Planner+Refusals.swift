internal import Failure
internal import OCI

extension Planner {
    /// What runtime-spec has and ctr does not do yet, by its field. What is not here is done.
    static func refuse(_ spec: RuntimeSpec) throws(Failure) {
        let hooks = spec.hooks
        let linux = spec.linux
        let fields: [(String, Bool)] = [
            ("hooks.prestart", hooks?.prestart?.isEmpty == false),
            ("hooks.createRuntime", hooks?.createRuntime?.isEmpty == false),
            ("hooks.createContainer", hooks?.createContainer?.isEmpty == false),
            ("hooks.startContainer", hooks?.startContainer?.isEmpty == false),
            ("hooks.poststart", hooks?.poststart?.isEmpty == false),
            ("hooks.poststop", hooks?.poststop?.isEmpty == false),
            (
                "linux.namespaces: a user namespace",
                linux?.namespaces?.contains { $0.type == .user } == true
            ),
            ("linux.uidMappings", linux?.uidMappings?.isEmpty == false),
            ("linux.gidMappings", linux?.gidMappings?.isEmpty == false),
            ("linux.timeOffsets", linux?.timeOffsets != nil),
            ("linux.netDevices", linux?.netDevices?.isEmpty == false),
            ("linux.mountLabel", linux?.mountLabel?.isEmpty == false),
            ("linux.intelRdt", linux?.intelRdt != nil),
            ("linux.memoryPolicy", linux?.memoryPolicy != nil),
            ("linux.seccomp.listenerPath", linux?.seccomp?.listenerPath?.isEmpty == false),
        ]
        for (field, used) in fields where used { throw refusal(field) }
        if spec.mounts?.contains(where: { $0.uidMappings?.isEmpty == false }) == true {
            throw refusal("mounts.uidMappings")
        }
        if linux?.namespaces?.contains(where: { $0.type == .mount && $0.path?.isEmpty == false }) == true {
            throw refusal("linux.namespaces: a joined mount namespace")
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
        if let process = spec.process { try refuse(process) }
    }

    static func refuse(_ process: RuntimeSpec.Process) throws(Failure) {
        if process.execCPUAffinity != nil { throw refusal("process.execCPUAffinity") }
    }

    private static func refusal(_ field: String) -> Failure {
        Failure(.unsupported, "config.json: \(field): not supported yet")
    }
}
