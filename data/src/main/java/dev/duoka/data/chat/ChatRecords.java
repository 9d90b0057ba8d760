package dev.duoka.data.chat;

import java.util.List;

/** Reads chats from the JSON forms that fine-tuning data comes in. */
public final class ChatRecords {
  private ChatRecords() {}

  /** The messages of one JSON object; {@code where} names the record in errors (file and line). */
  public static List<Message> parse(String json, String where) {
    throw new UnsupportedOperationException(json + where);
  }
}
