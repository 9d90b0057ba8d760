package dev.duoka.data.pair;

import dev.duoka.data.chat.ChatRecord;

/**
 * Two chats that differ in their last message alone, an answer of the assistant.
 *
 * @param chosen with the answer that is preferred
 * @param rejected with the other one
 */
public record AnswerPair(ChatRecord chosen, ChatRecord rejected) {}
