/**
 * Text from a trained model: {@link dev.duoka.train.generate.Generator} loads one and continues
 * prompts, {@link dev.duoka.train.generate.Sampling} says how tokens are chosen.
 */
package dev.duoka.train.generate;
