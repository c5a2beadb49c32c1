// SPDX-License-Identifier: Apache-2.0

package import SenteBase

/// Everything that can happen to a session.
///
/// Facts are in the past tense.
package enum Input: Sendable {
    case command(Command)
    /// The opening handshake is done; the greeting is awaited.
    case opened(LinkID)
    /// All that the app said in this turn was submitted.
    case gathered
    /// A message came over a link on which messages may be more than plain ones.
    case arrived(LinkID, Message)
    /// A large value was written or read.
    indirect case worked(LargeWork.Done)
    /// The storage is done with one piece of work.
    indirect case storageDone(StorageID, StorageOutcome)
    /// `size` is its share of the message it came in, in bytes.
    case received(LinkID, Inbound, size: Int)
    /// All that a message says.
    case heard(LinkID, Session.Heard)
    /// The first message shows a server that nobody here understands.
    case mismatched(LinkID, SenteError)
    /// Bytes came: the peer lives.
    case progressed(LinkID)
    case wrote(LinkID, [SendID])
    /// Of all that was sent, so much had to be sent again, from 0 to 1.
    case measured(LinkID, loss: Double)
    case refused(LinkID, Refusal)
    case closed(LinkID, LinkEnd)
    case provided(AskID, Provision)
    case consumed(InboxID, Int)
    /// The network changed under us, or the app came to the foreground.
    case pathChanged(NetworkChange)
    case timerFired
}

/// What a provider gave.
package enum Provision: Sendable, Hashable {
    case endpoint(String)
    case token(String?)
    case parameters(NamedValues)
    /// nil: give up.
    case delay(Duration?)
    /// The provider threw; the text is its error's.
    case failed(String)
}
