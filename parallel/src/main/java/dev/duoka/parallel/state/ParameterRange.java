package dev.duoka.parallel.state;

/**
 * The range of a parameter's gradient, over all ranks that hold some of it, after their sum and
 * before clipping.
 *
 * @param name of the parameter
 * @param smallest number
 * @param largest number
 * @param squares the sum of its squares
 */
public record ParameterRange(String name, double smallest, double largest, double squares) {}
