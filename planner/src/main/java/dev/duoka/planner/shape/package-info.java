/**
 * A model as the planner counts it, {@code ModelShape}: which layer has which of the shapes of
 * {@code dev.duoka.formats.modelconfig}, and what tensor parallelism cuts them along.
 */
package dev.duoka.planner.shape;
