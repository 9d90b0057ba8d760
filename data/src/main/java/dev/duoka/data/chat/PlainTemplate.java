package dev.duoka.data.chat;

import java.util.List;

record PlainTemplate() implements ChatTemplate {
  @Override
  public List<Piece> render(List<Message> messages) {
    throw new UnsupportedOperationException();
  }

  @Override
  public String prompt(List<Message> messages) {
    throw new UnsupportedOperationException();
  }
}
