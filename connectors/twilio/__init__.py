"""WhatsApp and SMS through Twilio: one client, one way in, one way out; what differs is in `connectors.twilio.whatsapp` and `connectors.twilio.sms`."""
