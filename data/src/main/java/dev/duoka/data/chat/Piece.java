package dev.duoka.data.chat;

/**
 * A part of a rendered chat.
 *
 * @param text as it stands in the rendered string
 * @param trainable whether the model learns to write it: the assistant's words and the end marker
 *     behind them
 */
public record Piece(String text, boolean trainable) {}
