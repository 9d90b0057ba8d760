/**
 * Text to token ids and back: UTF-8 bytes, and any Hugging Face {@code tokenizer.json} of the BPE
 * kind.
 *
 * <p>Read {@link dev.duoka.data.tokenizer.Tokenizer} first. {@link
 * dev.duoka.data.tokenizer.HfTokenizer} runs a text through the stages of the Hugging Face format,
 * one class each: added tokens are cut out ({@code AddedTokens}), the rest is normalised ({@code
 * Normalizer}), split into pieces ({@code PreTokenizer}), and each piece merged into tokens ({@code
 * BpeModel}); {@code TokenDecoder} goes the other way.
 */
package dev.duoka.data.tokenizer;
