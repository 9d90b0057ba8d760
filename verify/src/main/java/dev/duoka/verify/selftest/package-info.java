/**
 * What a machine can be trusted with before the first real step: {@link
 * dev.duoka.verify.selftest.SelfTest} trains a small likeness of a run on the run's devices and
 * compares it with one rank. {@link dev.duoka.verify.selftest.SmallLikeness} makes it small.
 */
@NullMarked
package dev.duoka.verify.selftest;

import org.jspecify.annotations.NullMarked;
