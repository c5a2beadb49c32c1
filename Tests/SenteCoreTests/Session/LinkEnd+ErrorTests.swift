// SPDX-License-Identifier: Apache-2.0

import SenteBase
import SenteCore
import Testing

@Suite("What a link's end stands for")
struct LinkEndErrorTests {
    @Test(
        "A close frame is a lost connection that can be mended, a clean one included",
        arguments: [1000, 1001, 1005, 1011, 4000] as [UInt16])
    func closed(number: UInt16) {
        let code = CloseCode(rawValue: number)
        let meaning = LinkEnd.closed(code: code, reason: "bye").meaning
        #expect(meaning.error.code == .connectionLost)
        #expect(meaning.error.closeCode == code)
        #expect(meaning.error.message.contains("bye"))
        #expect(meaning.close == ConnectionStatus.Close(code: code, reason: "bye"))
        #expect(meaning.isMendable)
    }

    @Test(
        "Each failure has its code; trying again mends what the network did, not what a side is",
        arguments: [
            (LinkFailure.Kind.nameNotFound, SenteError.Code.unreachable, true, nil),
            (.unreachable, .unreachable, true, nil), (.timedOut, .timedOut, true, nil),
            (.badHandshake, .protocolMismatch, false, nil), (.tls(.untrusted), .untrusted, false, .tlsFailed),
            (.tls(.unknownAuthority), .unknownAuthority, false, .tlsFailed),
            (.tls(.selfSigned), .selfSigned, false, .tlsFailed),
            (.tls(.wrongHost), .wrongHost, false, .tlsFailed),
            (.tls(.certificateExpired), .certificateExpired, false, .tlsFailed),
            (.tls(.certificateNotYetValid), .certificateNotYetValid, false, .tlsFailed),
            (.tls(.pinnedKeyDiffers), .pinnedKeyDiffers, false, .tlsFailed),
            (.tls(.clientCertificateRefused), .clientCertificateRefused, false, .tlsFailed),
            (.tls(.failed), .tlsFailed, false, .tlsFailed), (.misconfigured, .invalidArgument, false, nil),
            (.missingLibrary, .unavailable, false, nil),
            (.protocolViolation, .protocolViolation, true, .protocolError),
            (.lost, .connectionLost, true, .abnormal),
            (.unavailable, .unavailable, true, nil),
        ] as [(LinkFailure.Kind, SenteError.Code, Bool, CloseCode?)])
    func failed(kind: LinkFailure.Kind, code: SenteError.Code, isMendable: Bool, close: CloseCode?) {
        let meaning = LinkEnd.failed(LinkFailure(kind, "Why.", closeCode: .protocolError)).meaning
        #expect(meaning.error.code == code)
        #expect(meaning.error.message == "Why.")
        #expect(meaning.error.closeCode == .protocolError)
        #expect(meaning.isMendable == isMendable)
        #expect(meaning.close?.code == close)
    }

    @Test("Each problem with TLS is the error code of its name")
    func tlsProblems() {
        let codes: Set<SenteError.Code> = [
            .untrusted, .unknownAuthority, .selfSigned, .wrongHost, .certificateExpired,
            .certificateNotYetValid, .pinnedKeyDiffers, .clientCertificateRefused, .tlsFailed,
        ]
        #expect(Set(TLSProblem.allCases.map { SenteError.Code(rawValue: $0.rawValue) }) == codes)
    }

    @Test("What we told a peer is in the error and in the last close alike; told nothing, it is 1006")
    func told() {
        for code in [CloseCode.messageTooBig, .protocolError, nil] {
            let meaning = LinkEnd.failed(LinkFailure(.protocolViolation, "Why.", closeCode: code)).meaning
            #expect(meaning.error.closeCode == code && meaning.close?.code == code ?? .abnormal)
        }
    }
}
