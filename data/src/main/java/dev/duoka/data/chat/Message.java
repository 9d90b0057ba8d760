package dev.duoka.data.chat;

/**
 * One turn of a chat.
 *
 * @param role who speaks
 * @param content what is said, without any marker of the template
 */
public record Message(Role role, String content) {}
