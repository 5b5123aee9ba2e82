#include "base/terminal_text.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace cloister {
namespace {

// All characters that act on a terminal, and malformed bytes, with a letter after each.
constexpr std::string_view kActing[] = {
    "\x1b[2J",      "\x07",         "\x08",
    "\x7f",         "\r",           "\v",
    "\f",           "\x0e",                              // C0
    "\xc2\x85",     "\xc2\x9b",     "\xc2\x9d",          // NEL, CSI, OSC as UTF-8
    "\xe2\x80\xa8", "\xe2\x80\xa9",                      // line and paragraph separator
    "\xe2\x80\x8e", "\xe2\x80\x8f", "\xd8\x9c",          // marks
    "\xe2\x80\xaa", "\xe2\x80\xae",                      // embedding, override
    "\xe2\x81\xa6", "\xe2\x81\xa9",                      // isolates
    "\xef\xbb\xbf", "\xef\xbf\xb9", "\xf3\xa0\x81\xa1",  // byte order mark, annotation, tag
    "\x9b",         "\xff",         "\xc0\x9b",
    "\xe0\x80\x9b", "\xed\xa0\x80", "\xf4\x90\x80\x80",
    "\xe2\x80",     "\xc2",  // malformed
};

std::string whole(QuotedText quoted, std::string_view text) {
  std::string out = quoted.feed(text);
  return out += quoted.finish();
}

TEST(TerminalText, AsciiLineIsAsciiWhateverComes) {
  for (int i = 0; i < 256; ++i) {
    const std::string line = ascii_line(std::string(1, static_cast<char>(i)));
    ASSERT_EQ(line.size(), 1u);
    EXPECT_TRUE(line[0] >= ' ' && line[0] <= '~') << i;
  }
}

TEST(TerminalText, ALineKeepsWordsOfEveryLanguage) {
  for (const std::string_view text : {"plain ~", "Grüße", "日本語", "שלום", "привет", "👩‍👩‍👧", "a\u200cb"})
    EXPECT_EQ(terminal_line(text), text);
}

TEST(TerminalText, ALineHoldsNothingThatActs) {
  for (const std::string_view acting : kActing) {
    const std::string line = terminal_line(std::string(acting) + "x");
    EXPECT_EQ(line.find(acting), std::string::npos) << line;
    EXPECT_EQ(line[0], '?');
    EXPECT_EQ(line.back(), 'x');
    for (const char c : line) EXPECT_TRUE(c >= ' ' && c <= '~') << line;
  }
  EXPECT_EQ(terminal_line(std::string_view("a\0b\nc\td", 7)), "a?b?c?d");
}

TEST(TerminalText, EveryLineOfAQuoteIsMarked) {
  QuotedText quoted;
  EXPECT_EQ(quoted.feed("one\n\nverdict: acc"), "| one\n| \n| verdict: acc");
  EXPECT_EQ(quoted.feed("epted\n"), "epted\n");
  EXPECT_EQ(quoted.feed("\tend"), "| \tend");
  EXPECT_EQ(quoted.finish(), "\n");
  EXPECT_EQ(quoted.finish(), "");
  EXPECT_EQ(QuotedText().feed(""), "");
}

TEST(TerminalText, AQuoteHoldsNothingThatActs) {
  for (const std::string_view acting : kActing) {
    const std::string text = whole(QuotedText(), std::string(acting) + "x");
    EXPECT_TRUE(text.starts_with("| ?")) << text;
    for (const char c : text) EXPECT_TRUE((c >= ' ' && c <= '~') || c == '\n') << text;
  }
}

TEST(TerminalText, AReturnBelongsToALineBreakOrIsReplaced) {
  QuotedText quoted;
  EXPECT_EQ(quoted.feed("a\r"), "| a");
  EXPECT_EQ(quoted.feed("\nb\rc\r\r\n"), "\n| b?c?\n");
  EXPECT_EQ(whole(quoted, "d\r"), "| d?\n");
}

TEST(TerminalText, NoLineOfAQuotePassesTheLastColumn) {
  const std::string text = whole(QuotedText(20), std::string(30, 'a') + "日本語日本語日本語\t\t\t!");
  EXPECT_EQ(text,
            "| " + std::string(18, 'a') + "\n| " + std::string(12, 'a') + "日本語\n| 日本語日本語\n| \t\t\n| \t!\n");
}

TEST(TerminalText, RunsOfBlanksAreFolded) {
  EXPECT_EQ(fold_blanks("a  b   c d "), "a b c d ");
  EXPECT_EQ(fold_blanks("a\u00a0\u3000\u2003\u2800 \tb"), "a b");
  EXPECT_EQ(fold_blanks("\xff\xe3\x80"), "\xff\xe3\x80");
  EXPECT_EQ(fold_blanks(""), "");
}

TEST(TerminalText, WhatPassesTheLastColumnIsMarked) {
  EXPECT_EQ(wrap_lines("one\n" + std::string(20, 'a') + "verdict: accepted\nend", 20),
            "one\n" + std::string(20, 'a') + "\n| verdict: accepted\nend");
  EXPECT_EQ(wrap_lines(std::string(19, 'a') + "日本", 20), std::string(19, 'a') + "\n| 日本");
  EXPECT_EQ(wrap_lines("\x1b[1;31m" + std::string(20, 'a') + "\x1b[0m\n", 20),
            "\x1b[1;31m" + std::string(20, 'a') + "\x1b[0m\n");
  for (const std::uint32_t columns : {0u, 5u})
    EXPECT_EQ(wrap_lines(std::string(90, 'a'), columns), std::string(90, 'a'));
}

TEST(TerminalText, OtherCharacterSetsGetAscii) {
  QuotedText quoted(0, false);
  EXPECT_EQ(quoted.feed("Û!"), "| ?!");  // 0xc3 0x9b: the second byte is CSI in Latin-1
  const auto with = [](const char* value) {
    ::setenv("LC_ALL", value, 1);
    const bool utf8 = terminal_reads_utf8();
    ::unsetenv("LC_ALL");
    return utf8;
  };
  for (const char* name : {"C", "POSIX", "en_US.UTF-8", "de_DE.utf8@euro", "C.UTF-8"}) EXPECT_TRUE(with(name)) << name;
  for (const char* name : {"en_US.ISO-8859-1", "ja_JP.eucJP", "de_DE.ISO8859-15@euro"})
    EXPECT_FALSE(with(name)) << name;
}

}  // namespace
}  // namespace cloister
