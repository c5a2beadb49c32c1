// SPDX-License-Identifier: Apache-2.0

import Testing

/// The samples as people run them, beside a server of the kit; one after the other, so that none starves another.
@Suite("The samples as processes", .serialized, .timeLimit(.minutes(5)))
enum SampleProcesses {}
