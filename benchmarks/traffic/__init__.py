"""Customers on the web and WhatsApp, and staff in Slack, for benchmarks with a whole instance; Twilio and Slack are fakes at the wire."""
