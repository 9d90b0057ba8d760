/**
 * Fine-tuning data: from a JSON record of a chat to token ids with the loss on the assistant alone.
 *
 * <p>{@link dev.duoka.data.chat.ChatRecords} reads the usual forms of a record into {@link
 * dev.duoka.data.chat.Message}s, a {@link dev.duoka.data.chat.ChatTemplate} puts a model's markers
 * round them, and {@link dev.duoka.data.chat.ChatEncoder} turns the result into ids. Read the
 * encoder first: it says how the boundaries between the parts are tokenised. {@code LearnedText}
 * says how what is learned is found in what any template writes.
 */
package dev.duoka.data.chat;
