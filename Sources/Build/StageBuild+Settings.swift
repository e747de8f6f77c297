internal import Dockerfile
internal import Failure
internal import OCI
internal import Transfers

extension StageBuild {
    /// One instruction, expanded first where its kind is.
    func perform(_ instruction: Instruction) throws(Failure) {
        let expanded = try expanded(instruction)
        switch expanded.kind {
        case .run(let run): try self.run(run, expanded)
        case .copy(let files): try copy(files, expanded, isAdd: false)
        case .add(let files): try copy(files, expanded, isAdd: true)
        case .workdir(let path): try changeDirectory(path, expanded)
        case .arg(let declarations):
            for declaration in declarations { declare(declaration) }
        case .maintainer(let author):
            state.author = author
            remember("MAINTAINER \(author)")
        default:
            try state.settings.apply(expanded, shell: shell, hasOwnCommand: &hasOwnCommand)
            remember(expanded.historyText)
        }
    }

    private func declare(_ declaration: ArgumentDeclaration) {
        let value = declaration.value ?? session.buildArguments.predefined(declaration.name)
        arguments.removeAll { $0.name == declaration.name }
        arguments.append((declaration.name, value))
        guard !BuildArguments.proxies.contains(declaration.name) else { return }
        remember(value.map { "ARG \(declaration.name)=\($0)" } ?? "ARG \(declaration.name)")
    }
}
