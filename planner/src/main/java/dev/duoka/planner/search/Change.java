package dev.duoka.planner.search;

import java.util.OptionalDouble;

/**
 * A change that makes a job fit.
 *
 * @param change what to change
 * @param tokensPerSecond what the job then achieves; empty where this is not planned
 * @param layout the layout that fits, in words; empty where this is not planned
 */
public record Change(String change, OptionalDouble tokensPerSecond, String layout) {}
