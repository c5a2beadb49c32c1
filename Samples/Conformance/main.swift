// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteBase
import SenteTransport

/// The WebSocket room under an outside test suite (Autobahn|Testsuite): an echo client, and an echo server.
///
///     conformance client URL AGENT    runs every case of the fuzzing server at URL
///     conformance server PORT         echoes until it is ended

func fail(_ text: String) -> Never {
    FileHandle.standardError.write(Data("conformance: \(text)\n".utf8))
    exit(2)
}

let arguments = Array(CommandLine.arguments.dropFirst())
switch (arguments.first, arguments.count) {
case ("client", 3):
    let cases = FuzzedClient(url: arguments[1], agent: arguments[2])
    do {
        let count = try await cases.run()
        print("ran \(count) cases as \(arguments[2])")
    } catch {
        fail(error.message)
    }
case ("server", 2):
    guard let port = UInt16(arguments[1]) else {
        fail("\(arguments[1]) is no port: give a number from 0 to 65535.")
    }
    do {
        let listener = try EchoListener.start(port: port)
        FileHandle.standardOutput.write(Data("echoes on 127.0.0.1:\(listener.port)\n".utf8))
        while true { pause() }
    } catch {
        fail(error.message)
    }
default:
    fail("use it as `conformance client URL AGENT` or `conformance server PORT`.")
}
