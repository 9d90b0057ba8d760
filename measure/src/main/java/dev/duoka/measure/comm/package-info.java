/**
 * How fast ranks exchange: {@link dev.duoka.measure.comm.CollectiveBenchmark} times every {@link
 * dev.duoka.measure.comm.Collective} by size and by what carries it, after {@link
 * dev.duoka.measure.comm.CollectiveBuffers} has checked its result.
 */
package dev.duoka.measure.comm;
