// SPDX-License-Identifier: Apache-2.0

import Testing

/// `console serve` as people and scripts run it; one after the other, so that none starves another.
@Suite("console serve as a process", .serialized, .timeLimit(.minutes(5)))
enum ServeProcesses {}
