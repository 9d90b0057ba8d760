package dev.duoka.data.chat;

/** The built-in templates and those of the tests, which lie beside this class. */
final class Templates {
  private Templates() {}

  static ChatTemplate named(String name) {
    return ChatTemplate.NAMES.contains(name)
        ? ChatTemplate.named(name)
        : ChatTemplate.ofJinja(name, TemplateFiles.resource(name));
  }
}
