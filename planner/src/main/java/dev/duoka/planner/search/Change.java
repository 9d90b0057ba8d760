package dev.duoka.planner.search;

/**
 * A change that makes a job fit.
 *
 * @param change what to change
 * @param tokensPerSecond what the job then achieves
 * @param layout the layout that fits, in words
 */
public record Change(String change, double tokensPerSecond, String layout) {}
