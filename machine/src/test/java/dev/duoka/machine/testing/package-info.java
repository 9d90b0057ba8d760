/**
 * What the tests of this module and of those above it share: {@link
 * dev.duoka.machine.testing.FakeMachine} prints what the tools of a machine would.
 */
package dev.duoka.machine.testing;
