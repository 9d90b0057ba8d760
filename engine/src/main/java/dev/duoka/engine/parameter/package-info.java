/**
 * A model's weights: {@link dev.duoka.engine.parameter.ParameterSpec} says what a model wants,
 * {@link dev.duoka.engine.parameter.ParameterStore} lays all of them into few flat buffers, {@link
 * dev.duoka.engine.parameter.Parameter} is one of them as functions use it.
 */
package dev.duoka.engine.parameter;
