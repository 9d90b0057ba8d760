package dev.duoka.hardware;

import java.util.OptionalDouble;

/**
 * What lies beside the cards.
 *
 * @param toDevice bytes a second from locked host memory to one card
 * @param toHost bytes a second back
 * @param bothWays bytes a second each way while both go at once; empty in profiles of older
 *     versions
 * @param updateSeconds seconds that all processors together need to update one weight whose states,
 *     in fp32, live in host memory
 * @param diskWrite bytes a second that reach the disk
 * @param diskRead bytes a second that a file just written is read at
 */
public record HostSample(
    double toDevice,
    double toHost,
    OptionalDouble bothWays,
    double updateSeconds,
    double diskWrite,
    double diskRead) {}
