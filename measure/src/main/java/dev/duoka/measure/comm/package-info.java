/**
 * How fast ranks exchange: {@link dev.duoka.measure.comm.CollectiveBenchmark} times every {@link
 * dev.duoka.measure.comm.Collective} by size and by what carries it, after its result was checked.
 */
package dev.duoka.measure.comm;
