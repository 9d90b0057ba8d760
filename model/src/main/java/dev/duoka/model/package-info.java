/**
 * A language model as a whole: {@link dev.duoka.model.LanguageModel} holds the weights and runs a
 * pass, {@link dev.duoka.model.ModelFactory} builds one from a configuration.
 *
 * <p>The parts are in {@code layer}, the four architectures in {@code architecture}, and how
 * weights are named in Hugging Face's files in {@code weight}. Nothing here knows about ranks.
 */
package dev.duoka.model;
