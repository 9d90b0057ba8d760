package dev.duoka.measure.comm;

import dev.duoka.layout.Dispatcher;
import dev.duoka.train.device.Transport;
import java.util.Optional;

/**
 * How fast tokens of every rank get to their experts and back in one way; seconds are NaN where a
 * result was wrong.
 *
 * @param tokens of each rank
 * @param routeSeconds to find out which row goes where
 * @param dispatchSeconds from tokens' rows to rows sorted by the experts here
 * @param combineSeconds from those to the sums of each token
 * @param copies bytes that a rank would send if each expert of a token elsewhere got a copy
 * @param needed bytes that a rank sends at least: a row once to each rank with an expert of its
 * @param moved bytes that a rank sends in this way
 * @param wrong what was wrong with the result; empty where nothing was
 */
public record DispatchLine(
    Transport transport,
    Dispatcher dispatcher,
    long tokens,
    double routeSeconds,
    double dispatchSeconds,
    double combineSeconds,
    double copies,
    double needed,
    double moved,
    Optional<String> wrong) {
  /** {@link #routeSeconds}, in millionths. */
  public double routeMicroseconds() {
    return routeSeconds * 1e6;
  }

  /** {@link #dispatchSeconds}, in millionths. */
  public double dispatchMicroseconds() {
    return dispatchSeconds * 1e6;
  }

  /** {@link #combineSeconds}, in millionths. */
  public double combineMicroseconds() {
    return combineSeconds * 1e6;
  }

  /** All three, in millionths: what a layer's forward pass takes for it. */
  public double microseconds() {
    return (routeSeconds + dispatchSeconds + combineSeconds) * 1e6;
  }

  /** What had to leave a rank for dispatch and combine, by their time, GB/s. */
  public double neededBandwidth() {
    return 2 * needed / 1e9 / (dispatchSeconds + combineSeconds);
  }

  /** What left it, by the same time, GB/s. */
  public double movedBandwidth() {
    return 2 * moved / 1e9 / (dispatchSeconds + combineSeconds);
  }
}
