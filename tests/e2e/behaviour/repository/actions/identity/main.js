console.log(`a token may be asked for: ${process.env.ACTIONS_ID_TOKEN_REQUEST_URL ? 'yes' : 'no'}`);
