// SPDX-License-Identifier: Apache-2.0

import Foundation
import SenteLite

/// The space bar pauses a stream and lets it go on, as long as this lives and standard input is a terminal.
final class Keys {
    private let settings: termios?
    private let source: (any DispatchSourceRead)?

    init(_ stream: any SenteStream) {
        var settings = termios()
        guard isatty(STDIN_FILENO) == 1, tcgetattr(STDIN_FILENO, &settings) == 0 else {
            (self.settings, source) = (nil, nil)
            return
        }
        self.settings = settings
        var raw = settings
        // Each key at once, and none of them shown; Ctrl-C stays what it is.
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
        tcsetattr(STDIN_FILENO, TCSANOW, &raw)
        let source = DispatchSource.makeReadSource(fileDescriptor: STDIN_FILENO, queue: .global())
        var isPaused = false
        source.setEventHandler {
            var key: UInt8 = 0
            guard read(STDIN_FILENO, &key, 1) == 1 else { return source.cancel() }
            guard key == UInt8(ascii: " ") else { return }
            isPaused.toggle()
            if isPaused { stream.pause() } else { stream.resume() }
        }
        source.activate()
        self.source = source
    }

    /// Gives the terminal back as it was.
    func end() {
        source?.cancel()
        if var settings { tcsetattr(STDIN_FILENO, TCSANOW, &settings) }
    }
}
