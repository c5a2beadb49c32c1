// SPDX-License-Identifier: Apache-2.0

import SenteCore

/// Everything that can go wrong, one case each.
enum Fault: String, CaseIterable {
    case linkBreaks, linkBreaksAtAByte, linkFallsSilent, writesStall, readsStall
    case bytesComeInPieces, latencyVaries, newLinksBreak
    case refused, unanswered, nameNotFound, untrusted
    case refusedWith503, refusedWith401, refusedWith404, disconnectedInHandshake
    case reportsComeLate, forgedReports
    case serverCrashes, serverStops, serverCloses, serverDrops, serverSaysNothing, serverNeverGreets
    case serverIsSlow, serverEndsLinks, tcpStaysOpen
    case repliesNever, repliesLate, repliesTwice, repliesOutOfOrder, errorFrames, flatDeliveries
    case pushesLate, heldPushesReversed
    case garbageBytes, garbageMessages, serverEvents
    case providersSlow, providersFail, providersNever, providersTooLate, policyStops
    case slowConsumer, noConsumer, slowService, noService, failingService
    case processSleeps, pathChanges

    /// Whether servers and apps of a dialect can do this wrong at all.
    func exists(in dialect: Dialect) -> Bool {
        switch self {
        case .errorFrames, .flatDeliveries, .slowService, .noService, .failingService:
            dialect == .senteLiteMaps
        // sente-lite's vectors have no answers with an id.
        case .repliesTwice, .repliesOutOfOrder: dialect != .senteLiteVectors
        case .pushesLate: dialect != .senteLiteMaps
        case .heldPushesReversed: dialect == .sente
        default: true
        }
    }
}
