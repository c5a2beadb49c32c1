// SPDX-License-Identifier: Apache-2.0

import Foundation
import SampleOptions
import SenteLite

// Files and endless data: to a server, from it, and there and back.

do {
    let arguments = try TransferArguments(Array(CommandLine.arguments.dropFirst()))
    let display = TransferDisplay(printsJSON: arguments.printsJSON)
    let transfer = Transfer(arguments, display)
    switch arguments.job {
    case .help: print(TransferArguments.usage)
    case .demo: exit(try await TransferDemo(arguments: arguments, display: display).run() ? 0 : 1)
    case .send(let file): try await transfer.send(file)
    case .receive(let name): try await transfer.receive(name)
    case .tail(let file): try await transfer.tail(file)
    case .export(let count): try await transfer.export(count)
    }
} catch let error as UsageError {
    FileHandle.standardError.write(
        Data("\(error.message)\n`swift run transfer --help` shows what there is.\n".utf8))
    exit(2)
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit((error as? SenteError)?.code == .invalidArgument ? 2 : 1)
}
