/**
 * What the tests of this module and of those above it share: {@link
 * dev.duoka.tensor.testing.TestDevice} says where they run, {@link dev.duoka.tensor.testing.Inputs}
 * makes their random tensors, {@link dev.duoka.tensor.testing.LedgerSnapshot} finds what they leak.
 */
package dev.duoka.tensor.testing;
