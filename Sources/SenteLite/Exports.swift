// SPDX-License-Identifier: Apache-2.0

// Names a user needs that are born in the pure rooms come along with `import SenteLite`.
@_exported public import SenteBase
@_exported public import SenteCore
@_exported public import SenteWire
