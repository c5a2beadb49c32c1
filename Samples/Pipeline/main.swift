// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleOptions
import SenteLite

// Apps → collector over the socket → files and a table.

do {
    let settings = try PipelineArguments(Array(CommandLine.arguments.dropFirst()))
    guard !settings.wantsHelp else {
        print(PipelineArguments.usage)
        exit(0)
    }
    let folder =
        settings.folder.isEmpty
        ? FileManager.default.temporaryDirectory.appendingPathComponent(
            "pipeline-\(ProcessInfo.processInfo.processIdentifier)")
        : URL(fileURLWithPath: settings.folder)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    switch settings.role {
    case .app: try await App(settings, folder: folder).run()
    case .collector: try await Collector(settings, folder: folder).run()
    case .demo:
        exit(try await Demo(folder: folder, rate: settings.rate, count: settings.count ?? 400).run() ? 0 : 1)
    }
} catch let error as UsageError {
    FileHandle.standardError.write(
        Data("\(error.message)\n`swift run pipeline --help` shows what there is.\n".utf8))
    exit(2)
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit((error as? SenteError)?.code == .invalidArgument ? 2 : 1)
}
