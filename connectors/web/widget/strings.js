// Every word the widget shows, by language. To add a language, copy "en" and translate the values.
const STRINGS = {
  en: {
    title: "How can we help?",
    subtitle: "We usually answer within seconds",
    greeting: "Hello! Ask me about our products, your order, delivery or returns.",
    openChat: "Open chat",
    openChatUnread: "Open chat, {count} unread",
    closeChat: "Close chat",
    messages: "Messages",
    you: "You",
    bot: "Assistant",
    agent: "Support team",
    says: "{name} said:",
    typing: "The assistant is typing",
    estimate: "about {seconds} s",
    stop: "Stop writing",
    source: "Source {number}: {title}",
    inputLabel: "Your message",
    inputPlaceholder: "Write a message…",
    send: "Send",
    sending: "Sending…",
    sent: "Sent {time}",
    failed: "Not sent.",
    retry: "Retry",
    sources: "Sources",
    opensNewTab: "(opens in a new tab)",
    choices: "Suggested replies",
    rate: "Was this helpful?",
    helpful: "Helpful",
    notHelpful: "Not helpful",
    thanks: "Thank you for telling us.",
    commentLabel: "What was missing or wrong? (optional)",
    commentSend: "Send comment",
    commentSkip: "No thanks",
    newMessages: "New messages",
    edit: "Edit",
    reconnecting: "Connection lost. Reconnecting…",
    offline: "You are offline. Your messages are kept here.",
    expired: "Your earlier chat has expired, so this is a new one.",
    "error.network": "The message could not be sent. Check your connection.",
    "error.too_many_requests": "That was a lot at once. Please wait {seconds} seconds, then press Retry.",
    "error.too_large": "This message is too long to send.",
    "error.origin_refused": "This page is not allowed to open a chat.",
    "error.feedback": "Your rating could not be saved. Please try again.",
    "error.internal": "Something went wrong on our side. Please try again.",
  },
};

// A function that gives the words for a key in this language; what is not translated stays English.
export function translator(language) {
  const wanted = (language || "en").toLowerCase();
  const words = { ...STRINGS.en, ...(STRINGS[wanted] || STRINGS[wanted.split("-")[0]]) };
  return (key, values = {}) =>
    (words[key] ?? "").replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}
